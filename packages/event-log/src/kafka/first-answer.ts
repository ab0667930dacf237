import type { Admin } from 'kafkajs';
import { SILENCE_MS_MAX } from './broker-link.ts';
import { createClient, RETRY, type KafkaConnection } from './client.ts';
import type { Places } from './places.ts';
import type { Sockets } from './sockets.ts';

/**
 * What `question` answers over the first broker by which it gets anywhere. Given several, kafkajs stays with one that
 * takes connections and ends them, or is silent; so it is given one after the other.
 * @throws what the last one said
 */
export async function firstAnswer<T>(
  connection: KafkaConnection,
  sockets: Sockets,
  places: Places,
  question: (admin: Admin) => Promise<T>,
): Promise<T> {
  let failure: unknown = new Error('there is no broker to ask');
  const { order } = places;
  for (const place of order) {
    const { factory, end } = sockets.group(SILENCE_MS_MAX);
    // Else a silent one is waited for as often as it may be tried again.
    const retries = order.length === 1 ? RETRY.retries : 0;
    const client = createClient({ ...connection, brokers: [place] }, factory, { ...RETRY, retries });
    const admin = client.admin({ retry: { ...RETRY, retries: Math.max(1, retries) } });
    try {
      await admin.connect();
      return await question(admin);
    } catch (error) {
      failure = error;
      places.failed(place);
    } finally {
      // Not `disconnect`, which waits for what is never answered.
      end();
    }
  }
  throw failure;
}
