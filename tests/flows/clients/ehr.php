<?php
// php -S 127.0.0.1:PORT ehr.php: an EHR that is told of events and asked questions, by SoapServer.
// WSDLS is the folder with the WSDLs of the two contracts, TOLD the file that calls are noted in.

preg_match('#/(\w+)/\d+/rivtabp21#', $_SERVER['REQUEST_URI'], $named);

class Ehr
{
    public function CertificateStatusUpdateForCare(object $told): array
    {
        $this->note($told->handelse->handelsekod->code . ' ' . $told->intyg->{'intygs-id'}->extension);
        return ['result' => ['resultCode' => 'OK']];
    }

    public function SendMessageToCare(object $asked): array
    {
        $this->note($asked->amne->code . ' ' . $asked->{'intygs-id'}->extension);
        return ['result' => ['resultCode' => 'OK']];
    }

    public function LogicalAddress(string $address): void
    {
    }

    private function note(string $line): void
    {
        file_put_contents(getenv('TOLD'), "$line\n", FILE_APPEND | LOCK_EX);
    }
}

$server = new SoapServer(getenv('WSDLS') . "/$named[1].wsdl", ['cache_wsdl' => WSDL_CACHE_NONE]);
$server->setClass(Ehr::class);
$server->handle(file_get_contents('php://input'));
