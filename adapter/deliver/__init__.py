"""One attempt to deliver → `Outcome`: the only package that knows zeep.

deliverer.py      one attempt, from stored bytes to outcome
operation.py      what the WSDL says about calling a contract
patient_names.py  name and address of the patient in status updates
transport.py      the HTTP client, and the guard in front of it
answer.py         what came back, read leniently
decision.py       what to do about it: one table
"""

from intyg.adapter.deliver.decision import RESENDABLE, again_at
from intyg.adapter.deliver.deliverer import Deliverer
from intyg.adapter.deliver.patient_names import PatientNames
from intyg.adapter.deliver.transport import GuardBypassError

__all__ = ["RESENDABLE", "Deliverer", "GuardBypassError", "PatientNames", "again_at"]
