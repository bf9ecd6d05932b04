"""In which language its patients are texted is seen before a file is imported."""

from typing import Any

from reminders.imports import runs
from tests.web.settings.test_imports import PATIENTS, chosen, records, send


def test_languages_without_texts_are_named_before_anything_is_imported(house: Any) -> None:
    admin = house.signed_in(house.staff(role="clinic_admin"))
    file = PATIENTS.replace("1/2/1990,en\n13", "1/2/1990,vi\n13") + "14,Kor,Mogh,303-555-0104,1/2/1990,qqq\n"
    address = send(admin, file).headers["Location"]
    admin.post(address, check="1", **chosen(admin.get(address).text))
    page = admin.get(address).text
    assert records(house) == []
    assert "There are no texts in Vietnamese. Patients who speak it get English: 1." in page
    assert "“qqq” is no language that is known here" in page
    admin.post(f"{address}/begin")
    runs.drain()
    page = admin.get(address).text
    assert "There are no texts in Vietnamese. Patients who speak it get English: 1." in page
    assert "“qqq” is no language" in page
