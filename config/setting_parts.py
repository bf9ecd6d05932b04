"""The settings that have files of their own, in one class; part of `config.settings`."""

from config.carrier_settings import CarrierSettings
from config.ehr_settings import EhrSettings
from config.mail_settings import MailSettings
from config.mllp_settings import MllpSettings
from config.outgoing_settings import OutgoingSettings
from config.self_check_settings import SelfCheckSettings
from config.staff_settings import StaffSettings
from config.store_settings import StoreSettings


class SettingParts(
    StoreSettings,
    MailSettings,
    MllpSettings,
    EhrSettings,
    SelfCheckSettings,
    CarrierSettings,
    OutgoingSettings,
    StaffSettings,
):
    """Each part, in the order of the documentation."""
