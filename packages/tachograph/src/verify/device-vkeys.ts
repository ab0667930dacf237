import { HEADER, type EventLog } from '@tachograph/event-log';
import { parseVkey, utf8Text } from '@tachograph/wire';
import { z } from 'zod';

const enrolled = z.object({ data: z.object({ origin: z.string(), vkey: z.string() }) });

/** The keys of all devices, by origin, as `device.enrolled` in the tenants' own logs has them. */
export async function deviceVkeys(log: EventLog): Promise<Map<string, string>> {
  const vkeys = new Map<string, string>();
  const { partitions } = await log.describe();
  for (let partition = 0; partition < partitions; partition++) {
    const { oldest, next } = await log.offsets(partition);
    for await (const records of log.readRange(partition, oldest, next)) {
      for (const { headers, value } of records) {
        if (headers[HEADER.type] !== 'device.enrolled') continue;
        const parsed = enrolled.safeParse(JSON.parse(utf8Text(value) ?? 'null'));
        if (parsed.success && parseVkey(parsed.data.data.vkey).ok) {
          vkeys.set(parsed.data.data.origin, parsed.data.data.vkey);
        }
      }
    }
  }
  return vkeys;
}
