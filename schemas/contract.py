"""The national contracts: names on the wire, schemas, WSDL."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Contract:
    """
    One national service contract, e.g. RegisterCertificate 3.

    Attributes:
        name: As in the WSDL, `RegisterCertificate`.
        major: Version in the namespace and path.
        namespace: Message namespace; request and response elements live there.
        wsdl_namespace: Target namespace of the WSDL.
        soap_action: As the binding says.
        path: National path, `/clinicalprocess/healthcond/certificate/RegisterCertificate/3/rivtabp21`.
    """

    name: str
    major: int
    namespace: str
    wsdl_namespace: str
    soap_action: str
    path: str

    @property
    def key(self) -> str:
        """`RegisterCertificate:3`."""
        return f"{self.name}:{self.major}"

    @property
    def request(self) -> str:
        """The request element, in Clark notation."""
        return f"{{{self.namespace}}}{self.name}"

    @property
    def response(self) -> str:
        """The response element, in Clark notation."""
        return f"{{{self.namespace}}}{self.name}Response"
