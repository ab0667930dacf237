import { describe, expect, it } from '@jest/globals';
import { parseNote, parseVkey, verifyNote } from '../src/index.ts';

// The example of C2SP signed-note v1.0.0.
const VKEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const NOTE =
  'This is an example message.\n\n' +
  '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';

describe('a signed note', () => {
  it('verifies the example of the specification', async () => {
    const note = parseNote(NOTE);
    const key = parseVkey(VKEY);
    expect(note.ok && key.ok && (await verifyNote(note.value, [key.value]))).toBe(true);
  });
});
