import { assertNever } from '@tachograph/wire';
import { contentOf } from './content.ts';
import type { Format, Formatted } from './format.ts';

/**
 * The exact signed bytes and nothing else. What is no valid event, or would be read as two lines, has no place in
 * such a feed: its bytes cannot be changed, so they go to the dead letters.
 */
export const raw: Format = {
  name: 'raw',
  format(event): Formatted {
    const content = contentOf(event);
    switch (content.kind) {
      case 'json':
        return { kind: 'line', text: content.text };
      case 'json-with-cr':
        return { kind: 'unrepresentable', reason: 'the entry holds a carriage return' };
      case 'bytes':
        return { kind: 'unrepresentable', reason: content.reason };
      default:
        return assertNever(content);
    }
  },
};
