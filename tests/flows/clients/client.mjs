// node client.mjs SERVICES SIGNED INTYGS-ID PERSON: six contracts, by Node's own fetch.

import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";

const [services, signed, intygsId, person] = process.argv.slice(2);
const DOMAIN = "urn:riv:clinicalprocess:healthcond:certificate";
const HSA = "1.2.752.129.2.1.4.1";
const PARTS = "769bb12b-bd9f-4203-a5cd-fd14f2eb3b80";

async function call(name, major, element) {
  const answer = await fetch(
    `${services}/clinicalprocess/healthcond/certificate/${name}/${major}/rivtabp21`,
    {
      method: "POST",
      headers: {
        "Content-Type": "text/xml; charset=UTF-8",
        SOAPAction: `"${DOMAIN}:${name}Responder:${major}:${name}"`,
      },
      body: Buffer.concat([
        Buffer.from(
          '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>' +
            '<LogicalAddress xmlns="urn:riv:itintegration:registry:1">INTYGSADAPTER</LogicalAddress>' +
            "</s:Header><s:Body>",
        ),
        element, // the bytes that were signed, as they are
        Buffer.from("</s:Body></s:Envelope>"),
      ]),
    },
  );
  const text = await answer.text();
  const code = /<(?:\w+:)?resultCode>(\w+)</.exec(text)?.[1] ?? (answer.ok ? "read" : "fault");
  const why = /<(?:\w+:)?(?:resultText|faultstring)>([^<]*)</.exec(text)?.[1];
  console.log([name, code, why].filter(Boolean).join(" "));
  return text;
}

function element(name, major, inside) {
  return Buffer.from(
    `<m:${name} xmlns:m="${DOMAIN}:${name}Responder:${major}" xmlns:c="${DOMAIN}:3" ` +
      `xmlns:t="${DOMAIN}:types:3">${inside}</m:${name}>`,
  );
}

const id = (tag, root, extension) =>
  `<${tag}><t:root>${root}</t:root><t:extension>${extension}</t:extension></${tag}>`;
const code = (tag, code, system) =>
  `<${tag}><t:code>${code}</t:code><t:codeSystem>${system}</t:codeSystem></${tag}>`;

const now = new Date().toLocaleString("sv-SE", { timeZone: "Europe/Stockholm" }).replace(" ", "T");
const intyg = id("m:intygs-id", "TSTNMT2321000156-ENHET1", intygsId);
const patient = id("m:patientPerson-id", "1.2.752.129.2.1.3.1", person);
const staff = `${id("c:personal-id", HSA, "TSTNMT2321000156-TEST01")}
  <c:fullstandigtNamn>Läkare Provperson</c:fullstandigtNamn>
  <c:enhet>
    ${id("c:enhets-id", HSA, "TSTNMT2321000156-ENHET1")}
    ${id("c:arbetsplatskod", "1.2.752.29.4.71", "0000000")}
    <c:enhetsnamn>Provenheten</c:enhetsnamn><c:postadress>Provgatan 1</c:postadress>
    <c:postnummer>12345</c:postnummer><c:postort>Provstad</c:postort>
    <c:telefonnummer>010-000 00 00</c:telefonnummer>
    <c:vardgivare>
      ${id("c:vardgivare-id", HSA, "TSTNMT2321000156-VG1")}
      <c:vardgivarnamn>Provregionen</c:vardgivarnamn>
    </c:vardgivare>
  </c:enhet>`;

const must = (text) => {
  if (!text.includes(intygsId)) throw new Error("another certificate");
};

await call("RegisterCertificate", 3, readFileSync(signed));
await call("SendCertificateToRecipient", 2, element("SendCertificateToRecipient", 2,
  `<m:skickatTidpunkt>${now}</m:skickatTidpunkt>${intyg}${patient}
  ${code("m:mottagare", "FKASSA", PARTS)}
  <m:skickatAv><m:hosPersonal>${staff}</m:hosPersonal></m:skickatAv>`));
// An EHR asks when it knows that there is somebody to ask: TOLD is what its own service noted.
const told = () => existsSync(process.env.TOLD) && readFileSync(process.env.TOLD, "utf8");
while (!(told() || "").includes(`SKICKA ${intygsId}`)) {
  await new Promise((done) => setTimeout(done, 50));
}
await call("SendMessageToRecipient", 2, element("SendMessageToRecipient", 2,
  `<m:meddelande-id>${randomUUID()}</m:meddelande-id>
  <m:skickatTidpunkt>${now}</m:skickatTidpunkt>${intyg}${patient}
  <m:logiskAdressMottagare>FKASSA</m:logiskAdressMottagare>
  ${code("m:amne", "KONTKT", "ffa59d8f-8d7e-46ae-ac9e-31804e8e8499")}
  <m:meddelande>Vem handlägger?</m:meddelande><m:skickatAv>${staff}</m:skickatAv>`));
must(await call("GetCertificate", 2, element("GetCertificate", 2,
  `${intyg}${code("m:part", "HSVARD", PARTS)}`)));
must(await call("ListCertificatesForCareWithQA", 3, element("ListCertificatesForCareWithQA", 3,
  `${id("m:person-id", "1.2.752.129.2.1.3.1", person)}
  ${id("m:enhets-id", HSA, "TSTNMT2321000156-ENHET1")}`)));
await call("RevokeCertificate", 2, element("RevokeCertificate", 2,
  `<m:meddelande>Fel patient.</m:meddelande><m:skickatTidpunkt>${now}</m:skickatTidpunkt>
  ${intyg}${patient}<m:skickatAv>${staff}</m:skickatAv>`));
