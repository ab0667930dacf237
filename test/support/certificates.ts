import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Certificate = {
  readonly cert: string;
  readonly key: string;
  /** Key and certificate in one file, as a broker takes them. */
  readonly both: string;
};

export type Authority = {
  readonly cert: string;
  /** Makes a certificate. `names` are what it is for, as `DNS:…` or `IP:…`; negative days make an expired one. */
  readonly issue: (name: string, names: readonly string[], days?: number) => Certificate;
};

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** An authority of its own, by OpenSSL; every file stands in `folder`. */
export function makeAuthority(folder: string, name: string): Authority {
  const at = (file: string): string => join(folder, `${name}-${file}`);
  const cert = at('ca.pem');
  const key = at('ca.key');
  openssl('req', '-x509', ...NEW_KEY, '-keyout', key, '-out', cert, '-subj', `/CN=${name}`, '-days', '2');
  return {
    cert,
    issue: (subject, names, days = 2) => {
      const [request, extensions] = [at(`${subject}.csr`), at(`${subject}.ext`)];
      const issued = { cert: at(`${subject}.pem`), key: at(`${subject}.key`), both: at(`${subject}.both`) };
      openssl('req', ...NEW_KEY, '-keyout', issued.key, '-out', request, '-subj', `/CN=${subject}`);
      writeFileSync(extensions, names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`);
      const signer = ['-CA', cert, '-CAkey', key, '-CAcreateserial', '-extfile', extensions];
      openssl('x509', '-req', '-in', request, ...signer, '-days', String(days), '-out', issued.cert);
      writeFileSync(issued.both, readFileSync(issued.key, 'utf8') + readFileSync(issued.cert, 'utf8'));
      return issued;
    },
  };
}

/** A copy of a private key that is encrypted with what `passphraseFile` holds. */
export function encryptKey(key: string, passphraseFile: string): string {
  const encrypted = `${key}.encrypted`;
  openssl('pkcs8', '-topk8', '-in', key, '-passout', `file:${passphraseFile}`, '-out', encrypted);
  return encrypted;
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
