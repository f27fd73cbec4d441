<?php
// php client.php SERVICES SIGNED INTYGS-ID PERSON: six contracts, by PHP's own SoapClient.

[, $services, $signed, $intygsId, $person] = $argv;
const PATHS = '/clinicalprocess/healthcond/certificate/';
const HSA = '1.2.752.129.2.1.4.1';
const PARTS = '769bb12b-bd9f-4203-a5cd-fd14f2eb3b80';

function client(string $services, string $name, int $major): SoapClient
{
    $client = new SoapClient("$services" . PATHS . "$name/$major/rivtabp21?wsdl", [
        'cache_wsdl' => WSDL_CACHE_NONE, 'exceptions' => true,
    ]);
    $address = new SoapHeader('urn:riv:itintegration:registry:1', 'LogicalAddress', 'INTYGSADAPTER');
    $client->__setSoapHeaders($address);
    return $client;
}

function told(string $name, object $answer): void
{
    $result = $answer->result ?? null;
    echo $name, ' ', $result->resultCode ?? 'read', isset($result->resultText) ? " $result->resultText" : '', "\n";
}

function id(string $root, string $extension): array
{
    return ['root' => $root, 'extension' => $extension];
}

$register = client($services, 'RegisterCertificate', 3);
$bytes = new SoapVar(file_get_contents($signed), XSD_ANYXML); // as they were signed
told('RegisterCertificate', $register->RegisterCertificate($bytes));

date_default_timezone_set('Europe/Stockholm');
$now = date('Y-m-d\TH:i:s');
$intyg = id('TSTNMT2321000156-ENHET1', $intygsId);
$patient = id('1.2.752.129.2.1.3.1', $person);
$staff = [
    'personal-id' => id(HSA, 'TSTNMT2321000156-TEST01'),
    'fullstandigtNamn' => 'Läkare Provperson',
    'enhet' => [
        'enhets-id' => id(HSA, 'TSTNMT2321000156-ENHET1'),
        'arbetsplatskod' => id('1.2.752.29.4.71', '0000000'),
        'enhetsnamn' => 'Provenheten', 'postadress' => 'Provgatan 1', 'postnummer' => '12345',
        'postort' => 'Provstad', 'telefonnummer' => '010-000 00 00',
        'vardgivare' => [
            'vardgivare-id' => id(HSA, 'TSTNMT2321000156-VG1'), 'vardgivarnamn' => 'Provregionen',
        ],
    ],
];

$send = client($services, 'SendCertificateToRecipient', 2);
told('SendCertificateToRecipient', $send->SendCertificateToRecipient([
    'skickatTidpunkt' => $now, 'intygs-id' => $intyg, 'patientPerson-id' => $patient,
    'mottagare' => ['code' => 'FKASSA', 'codeSystem' => PARTS],
    'skickatAv' => ['hosPersonal' => $staff],
]));

// An EHR asks when it knows that there is somebody to ask: TOLD is what its own service noted.
while (!str_contains((string) @file_get_contents(getenv('TOLD')), "SKICKA $intygsId")) {
    usleep(50_000);
}

$ask = client($services, 'SendMessageToRecipient', 2);
told('SendMessageToRecipient', $ask->SendMessageToRecipient([
    'meddelande-id' => vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex(random_bytes(16)), 4)),
    'skickatTidpunkt' => $now, 'intygs-id' => $intyg, 'patientPerson-id' => $patient,
    'logiskAdressMottagare' => 'FKASSA',
    'amne' => ['code' => 'KONTKT', 'codeSystem' => 'ffa59d8f-8d7e-46ae-ac9e-31804e8e8499'],
    'meddelande' => 'Vem handlägger?', 'skickatAv' => $staff,
]));

$get = client($services, 'GetCertificate', 2);
$got = $get->GetCertificate([
    'intygs-id' => $intyg, 'part' => ['code' => 'HSVARD', 'codeSystem' => PARTS],
]);
told('GetCertificate', $got);
assert($got->intyg->{'intygs-id'}->extension === $intygsId);

$list = client($services, 'ListCertificatesForCareWithQA', 3);
$listed = $list->ListCertificatesForCareWithQA([
    'person-id' => $patient, 'enhets-id' => [id(HSA, 'TSTNMT2321000156-ENHET1')],
]);
told('ListCertificatesForCareWithQA', $listed);
assert($listed->list->item->intyg->{'intygs-id'}->extension === $intygsId);

$revoke = client($services, 'RevokeCertificate', 2);
told('RevokeCertificate', $revoke->RevokeCertificate([
    'meddelande' => 'Fel patient.', 'skickatTidpunkt' => $now, 'intygs-id' => $intyg,
    'patientPerson-id' => $patient, 'skickatAv' => $staff,
]));
