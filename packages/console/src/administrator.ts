import type { AuditBuffer } from '@tachograph/client-buffer';
import { revokeDevice } from './demo-server.ts';
import type { DemoSchemas } from './events.ts';
import type { NetworkSwitch } from './network-switch.ts';

const KEY = 'tachograph-demo.revoked';

/** The administrator, who sits elsewhere: what is done here does not pass through the device's buffer. */
export type Administrator = {
  /** Revokes this device. Says whether the server could be reached. */
  readonly revoke: () => Promise<boolean>;
  /** When this device was revoked by this page, in whichever tab, RFC 3339; `null` where it was not. */
  readonly revokedAt: () => string | null;
};

export function administrator(audit: AuditBuffer<DemoSchemas>, network: NetworkSwitch): Administrator {
  const device = (): string => {
    const origin = audit.status().origin ?? '';
    return origin.slice(origin.lastIndexOf('/') + 1);
  };
  return {
    revoke: async () => {
      const own = device();
      const revokedAt = await revokeDevice(network.outside, own);
      if (revokedAt !== null) localStorage.setItem(KEY, `${own} ${revokedAt}`);
      return revokedAt !== null;
    },
    revokedAt: () => {
      const [revoked, at] = (localStorage.getItem(KEY) ?? '').split(' ');
      return at !== undefined && revoked === device() ? at : null;
    },
  };
}
