import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.datatype.DatatypeFactory;
import javax.xml.datatype.XMLGregorianCalendar;
import riv.clinicalprocess.healthcond.certificate._3.Enhet;
import riv.clinicalprocess.healthcond.certificate._3.HosPersonal;
import riv.clinicalprocess.healthcond.certificate._3.Intyg;
import riv.clinicalprocess.healthcond.certificate._3.ResultType;
import riv.clinicalprocess.healthcond.certificate._3.Vardgivare;
import riv.clinicalprocess.healthcond.certificate.getcertificate._2.rivtabp21.GetCertificateResponderService;
import riv.clinicalprocess.healthcond.certificate.getcertificateresponder._2.GetCertificateType;
import riv.clinicalprocess.healthcond.certificate.listcertificatesforcarewithqa._3.rivtabp21.ListCertificatesForCareWithQAResponderService;
import riv.clinicalprocess.healthcond.certificate.listcertificatesforcarewithqaresponder._3.ListCertificatesForCareWithQAType;
import riv.clinicalprocess.healthcond.certificate.registercertificate._3.rivtabp21.RegisterCertificateResponderService;
import riv.clinicalprocess.healthcond.certificate.registercertificateresponder._3.RegisterCertificateType;
import riv.clinicalprocess.healthcond.certificate.revokecertificate._2.rivtabp21.RevokeCertificateResponderService;
import riv.clinicalprocess.healthcond.certificate.revokecertificateresponder._2.RevokeCertificateType;
import riv.clinicalprocess.healthcond.certificate.sendcertificatetorecipient._2.rivtabp21.SendCertificateToRecipientResponderService;
import riv.clinicalprocess.healthcond.certificate.sendcertificatetorecipientresponder._2.SendCertificateToRecipientType;
import riv.clinicalprocess.healthcond.certificate.sendmessagetorecipient._2.rivtabp21.SendMessageToRecipientResponderService;
import riv.clinicalprocess.healthcond.certificate.sendmessagetorecipientresponder._2.SendMessageToRecipientType;
import riv.clinicalprocess.healthcond.certificate.types._3.Amneskod;
import riv.clinicalprocess.healthcond.certificate.types._3.ArbetsplatsKod;
import riv.clinicalprocess.healthcond.certificate.types._3.HsaId;
import riv.clinicalprocess.healthcond.certificate.types._3.IntygId;
import riv.clinicalprocess.healthcond.certificate.types._3.Part;
import riv.clinicalprocess.healthcond.certificate.types._3.PersonId;

/** java Client SERVICES SIGNED INTYGS-ID PERSON: six contracts, by what wsimport wrote. */
public class Client {
    static final String PATHS = "/clinicalprocess/healthcond/certificate/";
    static final String ADDRESS = "INTYGSADAPTER";
    static String services;

    public static void main(String[] arguments) throws Exception {
        services = arguments[0];
        register(Files.readAllBytes(Path.of(arguments[1])));
        IntygId intyg = new IntygId();
        intyg.setRoot("TSTNMT2321000156-ENHET1");
        intyg.setExtension(arguments[2]);
        PersonId patient = new PersonId();
        patient.setRoot("1.2.752.129.2.1.3.1");
        patient.setExtension(arguments[3]);
        send(intyg, patient);
        awaitSent(arguments[2]);
        ask(intyg, patient);
        read(intyg, patient);
        revoke(intyg, patient);
    }

    /** The bytes that were signed, as they are: JAXB would write a signature anew. */
    static void register(byte[] signed) throws Exception {
        byte[] before = ("<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header>"
            + "<LogicalAddress xmlns=\"urn:riv:itintegration:registry:1\">" + ADDRESS
            + "</LogicalAddress></s:Header><s:Body>").getBytes(StandardCharsets.UTF_8);
        byte[] after = "</s:Body></s:Envelope>".getBytes(StandardCharsets.UTF_8);
        HttpRequest request = HttpRequest.newBuilder(
                URI.create(services + PATHS + "RegisterCertificate/3/rivtabp21"))
            .header("Content-Type", "text/xml; charset=UTF-8")
            .POST(BodyPublishers.ofByteArrays(java.util.List.of(before, signed, after)))
            .build();
        String answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
        Matcher code = Pattern.compile("resultCode>(\\w+)<").matcher(answer);
        System.out.println("RegisterCertificate " + (code.find() ? code.group(1) : answer));
    }

    static void send(IntygId intyg, PersonId patient) throws Exception {
        SendCertificateToRecipientType request = new SendCertificateToRecipientType();
        request.setSkickatTidpunkt(now());
        request.setIntygsId(intyg);
        request.setPatientPersonId(patient);
        request.setMottagare(part("FKASSA"));
        request.setSkickatAv(new SendCertificateToRecipientType.SkickatAv());
        request.getSkickatAv().setHosPersonal(staff());
        told("SendCertificateToRecipient",
            new SendCertificateToRecipientResponderService(wsdl("SendCertificateToRecipient/2"))
                .getSendCertificateToRecipientResponderPort()
                .sendCertificateToRecipient(ADDRESS, request).getResult());
    }

    /** An EHR asks when it knows that there is somebody to ask: TOLD is what its service noted. */
    static void awaitSent(String intygsId) throws Exception {
        Path told = Path.of(System.getenv("TOLD"));
        while (!Files.exists(told) || !Files.readString(told).contains("SKICKA " + intygsId)) {
            Thread.sleep(50);
        }
    }

    static void ask(IntygId intyg, PersonId patient) throws Exception {
        SendMessageToRecipientType request = new SendMessageToRecipientType();
        request.setMeddelandeId(UUID.randomUUID().toString());
        request.setSkickatTidpunkt(now());
        request.setIntygsId(intyg);
        request.setPatientPersonId(patient);
        request.setLogiskAdressMottagare("FKASSA");
        Amneskod amne = new Amneskod();
        amne.setCode("KONTKT");
        amne.setCodeSystem("ffa59d8f-8d7e-46ae-ac9e-31804e8e8499");
        request.setAmne(amne);
        request.setMeddelande("Vem handlägger?");
        request.setSkickatAv(staff());
        told("SendMessageToRecipient",
            new SendMessageToRecipientResponderService(wsdl("SendMessageToRecipient/2"))
                .getSendMessageToRecipientResponderPort()
                .sendMessageToRecipient(ADDRESS, request).getResult());
    }

    static void read(IntygId intyg, PersonId patient) throws Exception {
        Intyg got = get(intyg);
        same("GetCertificate", intyg, got.getIntygsId());
        registerAgain(got);
        ListCertificatesForCareWithQAType list = new ListCertificatesForCareWithQAType();
        list.setPersonId(patient);
        list.getEnhetsId().add(hsa("TSTNMT2321000156-ENHET1"));
        same("ListCertificatesForCareWithQA", intyg,
            new ListCertificatesForCareWithQAResponderService(wsdl("ListCertificatesForCareWithQA/3"))
                .getListCertificatesForCareWithQAResponderPort()
                .listCertificatesForCareWithQA(ADDRESS, list)
                .getList().getItem().get(0).getIntyg().getIntygsId());
    }

    static Intyg get(IntygId intyg) throws Exception {
        GetCertificateType get = new GetCertificateType();
        get.setIntygsId(intyg);
        get.setPart(part("HSVARD"));
        return new GetCertificateResponderService(wsdl("GetCertificate/2"))
            .getGetCertificateResponderPort().getCertificate(ADDRESS, get).getIntyg();
    }

    /** As objects: JAXB writes the signature anew, and the answer must say so. */
    static void registerAgain(Intyg got) throws Exception {
        RegisterCertificateType request = new RegisterCertificateType();
        request.setIntyg(got);
        String text = new RegisterCertificateResponderService(wsdl("RegisterCertificate/3"))
            .getRegisterCertificateResponderPort()
            .registerCertificate(ADDRESS, request).getResult().getResultText();
        if (text == null || !text.contains("SignedInfo was written anew (prefix `ns")) {
            throw new IllegalStateException(text);
        }
    }

    static void revoke(IntygId intyg, PersonId patient) throws Exception {
        RevokeCertificateType request = new RevokeCertificateType();
        request.setMeddelande("Fel patient.");
        request.setSkickatTidpunkt(now());
        request.setIntygsId(intyg);
        request.setPatientPersonId(patient);
        request.setSkickatAv(staff());
        told("RevokeCertificate",
            new RevokeCertificateResponderService(wsdl("RevokeCertificate/2"))
                .getRevokeCertificateResponderPort().revokeCertificate(ADDRESS, request).getResult());
    }

    static void told(String name, ResultType result) {
        String text = result.getResultText();
        System.out.println(name + " " + result.getResultCode() + (text == null ? "" : " " + text));
    }

    static void same(String name, IntygId wanted, IntygId got) {
        boolean same = wanted.getExtension().equals(got.getExtension());
        System.out.println(name + (same ? " read" : " another certificate"));
    }

    static URL wsdl(String path) throws Exception {
        return new URL(services + PATHS + path + "/rivtabp21?wsdl");
    }

    /** Swedish local time without zone and fraction, as the contracts have it. */
    static XMLGregorianCalendar now() throws Exception {
        LocalDateTime now = LocalDateTime.now(ZoneId.of("Europe/Stockholm"));
        return DatatypeFactory.newInstance()
            .newXMLGregorianCalendar(now.truncatedTo(ChronoUnit.SECONDS).withNano(0).format(
                java.time.format.DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss")));
    }

    static HsaId hsa(String extension) {
        HsaId id = new HsaId();
        id.setRoot("1.2.752.129.2.1.4.1");
        id.setExtension(extension);
        return id;
    }

    static Part part(String code) {
        Part part = new Part();
        part.setCode(code);
        part.setCodeSystem("769bb12b-bd9f-4203-a5cd-fd14f2eb3b80");
        return part;
    }

    static HosPersonal staff() {
        Vardgivare vardgivare = new Vardgivare();
        vardgivare.setVardgivareId(hsa("TSTNMT2321000156-VG1"));
        vardgivare.setVardgivarnamn("Provregionen");
        ArbetsplatsKod place = new ArbetsplatsKod();
        place.setRoot("1.2.752.29.4.71");
        place.setExtension("0000000");
        Enhet enhet = new Enhet();
        enhet.setEnhetsId(hsa("TSTNMT2321000156-ENHET1"));
        enhet.setArbetsplatskod(place);
        enhet.setEnhetsnamn("Provenheten");
        enhet.setPostadress("Provgatan 1");
        enhet.setPostnummer("12345");
        enhet.setPostort("Provstad");
        enhet.setTelefonnummer("010-000 00 00");
        enhet.setVardgivare(vardgivare);
        HosPersonal staff = new HosPersonal();
        staff.setPersonalId(hsa("TSTNMT2321000156-TEST01"));
        staff.setFullstandigtNamn("Läkare Provperson");
        staff.setEnhet(enhet);
        return staff;
    }
}
