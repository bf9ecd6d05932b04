"""What was typed in a page over which its reader was signed out: it comes back, out of sight, and can be sent again."""

from flask import current_app, render_template, request

# Where somebody writes more than they would write twice.
KEPT = ("/settings/", "/ladder", "/handoffs", "/tasks", "/notes", "/announcements", "/team/post")
# A note is kept also where its file cannot be: that would have to be chosen again.
NOTE = "/team/post"


def page() -> str | None:
    """Return the page that keeps what was sent, None where nothing is kept of it.

    The form's token was asked for before: nobody else's form comes to stand here.
    """
    chosen = any(upload.filename for upload in request.files.values())
    if not request.path.startswith(KEPT) or (chosen and request.path != NOTE):
        return None
    typed = [field for field in request.form.items(multi=True) if field[0] != "csrf_token"]
    adapter = current_app.create_url_adapter(request)
    onward = request.path if adapter is not None and adapter.test(method="GET") else "/"
    return render_template("staff/signed_out.html", typed=typed, onward=onward, chosen=chosen)
