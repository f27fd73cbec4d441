import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import javax.jws.WebService;
import javax.xml.ws.Endpoint;
import riv.clinicalprocess.healthcond.certificate._3.ResultCodeType;
import riv.clinicalprocess.healthcond.certificate._3.ResultType;
import riv.clinicalprocess.healthcond.certificate.certificatestatusupdateforcare._3.rivtabp21.CertificateStatusUpdateForCareResponderInterface;
import riv.clinicalprocess.healthcond.certificate.certificatestatusupdateforcareresponder._3.CertificateStatusUpdateForCareResponseType;
import riv.clinicalprocess.healthcond.certificate.certificatestatusupdateforcareresponder._3.CertificateStatusUpdateForCareType;
import riv.clinicalprocess.healthcond.certificate.sendmessagetocare._2.rivtabp21.SendMessageToCareResponderInterface;
import riv.clinicalprocess.healthcond.certificate.sendmessagetocareresponder._2.SendMessageToCareResponseType;
import riv.clinicalprocess.healthcond.certificate.sendmessagetocareresponder._2.SendMessageToCareType;

/**
 * java Ehr PORT: an EHR that is told of events and asked questions, by what wsimport wrote.
 *
 * <p>TOLD is the file that calls are noted in.
 */
public class Ehr {
    static final String DOMAIN = "urn:riv:clinicalprocess:healthcond:certificate:";
    static final String AT = "riv.clinicalprocess.healthcond.certificate.";

    @WebService(targetNamespace = DOMAIN + "CertificateStatusUpdateForCare:3:rivtabp21",
        endpointInterface = AT + "certificatestatusupdateforcare._3.rivtabp21."
        + "CertificateStatusUpdateForCareResponderInterface")
    public static class Told implements CertificateStatusUpdateForCareResponderInterface {
        @Override
        public CertificateStatusUpdateForCareResponseType certificateStatusUpdateForCare(
                String address, CertificateStatusUpdateForCareType told) {
            note(told.getHandelse().getHandelsekod().getCode() + " "
                + told.getIntyg().getIntygsId().getExtension());
            CertificateStatusUpdateForCareResponseType answer =
                new CertificateStatusUpdateForCareResponseType();
            answer.setResult(ok());
            return answer;
        }
    }

    @WebService(targetNamespace = DOMAIN + "SendMessageToCare:2:rivtabp21",
        endpointInterface = AT + "sendmessagetocare._2.rivtabp21."
        + "SendMessageToCareResponderInterface")
    public static class Asked implements SendMessageToCareResponderInterface {
        @Override
        public SendMessageToCareResponseType sendMessageToCare(
                String address, SendMessageToCareType asked) {
            note(asked.getAmne().getCode() + " " + asked.getIntygsId().getExtension());
            SendMessageToCareResponseType answer = new SendMessageToCareResponseType();
            answer.setResult(ok());
            return answer;
        }
    }

    public static void main(String[] arguments) {
        String base = "http://127.0.0.1:" + arguments[0] + "/clinicalprocess/healthcond/certificate/";
        Endpoint.publish(base + "CertificateStatusUpdateForCare/3/rivtabp21", new Told());
        Endpoint.publish(base + "SendMessageToCare/2/rivtabp21", new Asked());
    }

    static ResultType ok() {
        ResultType result = new ResultType();
        result.setResultCode(ResultCodeType.OK);
        return result;
    }

    static synchronized void note(String line) {
        try {
            Files.writeString(Path.of(System.getenv("TOLD")), line + "\n",
                StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (java.io.IOException exc) {
            throw new java.io.UncheckedIOException(exc);
        }
    }
}
