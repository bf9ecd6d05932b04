// While visits are planned again, the bar fetches itself anew; without this, its own page does the same.
const bar = () => document.getElementById("replanning");
const look = async () => {
  try {
    const answer = await fetch("/settings/cadence/progress?unattended=1");
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      bar().replaceWith(document.adoptNode(page.getElementById("replanning")));
    }
  } catch { /* the network is away for a moment: asked again */ }
  if (bar()?.querySelector("[data-running]")) setTimeout(look, 1500);
};
if (bar()?.querySelector("[data-running]")) setTimeout(look, 1500);
