import { HEADER } from '@tachograph/event-log';
import { utf8 } from '@tachograph/wire';
import type { TestDevice } from './test-device.ts';

/** The event by which a feed says the key of a device. */
export function enrolled({ origin, vkey }: TestDevice) {
  const event = {
    id: '0198c0de-0000-7000-8000-000000000001',
    time: '2026-11-22T09:00:00.000Z',
    action: 'device.enrolled',
    actor: { id: 'tachograph' },
    outcome: 'success',
    online: true,
    clock: { boot: 'b', ms: 1 },
    data: { origin, vkey, status: 'enrolled' },
  };
  return { bytes: utf8(JSON.stringify(event)), headers: { [HEADER.type]: 'device.enrolled' } };
}
