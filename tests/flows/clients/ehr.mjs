// node ehr.mjs PORT: an EHR that is told of events and asked questions, by Node's own server.
// TOLD is the file that calls are noted in.

import { appendFileSync } from "node:fs";
import { createServer } from "node:http";

const DOMAIN = "urn:riv:clinicalprocess:healthcond:certificate";
const SERVED = { CertificateStatusUpdateForCare: 3, SendMessageToCare: 2 };

createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const text = Buffer.concat(parts).toString("utf8");
  const name = /\/(\w+)\/\d+\/rivtabp21$/.exec(request.url)?.[1];
  const major = SERVED[name];
  const intygsId =
    /<(?:\w+:)?intygs-id[^>]*>.*?<(?:\w+:)?extension[^>]*>([^<]*)</s.exec(text)?.[1];
  const what = name === "SendMessageToCare" ? "amne" : "handelsekod";
  const code = new RegExp(`<(?:\\w+:)?${what}[^>]*>.*?<(?:\\w+:)?code[^>]*>([^<]*)<`, "s").exec(text);
  if (!major || !intygsId || !code) {
    response.writeHead(500).end();
    return;
  }
  appendFileSync(process.env.TOLD, `${code[1]} ${intygsId}\n`);
  response.writeHead(200, { "Content-Type": "text/xml; charset=UTF-8" });
  response.end(
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>' +
      `<m:${name}Response xmlns:m="${DOMAIN}:${name}Responder:${major}" xmlns:c="${DOMAIN}:3">` +
      `<m:result><c:resultCode>OK</c:resultCode></m:result></m:${name}Response></s:Body></s:Envelope>`,
  );
}).listen(Number(process.argv[2]), "127.0.0.1");
