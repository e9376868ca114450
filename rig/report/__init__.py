"""What a run found, made visible: ``--report DIR``. One page that stands alone, and the files that it was made from."""

from rig.report.files import write
from rig.report.subject import Far, Subject

__all__ = ["Far", "Subject", "write"]
