"""The way to a destination, looked at step by step: what `intyg doctor DESTINATION` does.

Name, connection, TLS, certificates, an answer over SOAP, the contract, clocks. Nothing of a patient
is sent: only PingForConfiguration, a question for the WSDL and a SOAP envelope with an empty Body.

    probe   the words: a step, what is looked at, and the probe on its way
    target  from a name in the settings, or a URL, to what is looked at
    tls     the handshake, both sides' certificates
    soap    an answer, whose contract's it is, and its date
    steps   all of it in order
"""

from intyg.adapter.doctor.connectivity.probe import Called, Found, Step, Target
from intyg.adapter.doctor.connectivity.steps import examine
from intyg.adapter.doctor.connectivity.target import target_of_name, target_of_url

__all__ = ["Called", "Found", "Step", "Target", "examine", "target_of_name", "target_of_url"]
