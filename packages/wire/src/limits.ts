/**
 * Every limit of the protocol, in one table. Version 1's limits are never lowered: a device that was offline
 * for a year may rely on what it was told at enrolment.
 */
export const LIMITS = {
  /** Bytes of one leaf, without its line feed. */
  leafBytesMax: 32 * 1024,
  /** Leaves in one block of a client's store. */
  blockLeavesMax: 500,
  /** Bytes in one block of a client's store. */
  blockBytesMax: 60 * 1024,
  /** Leaves in one append. */
  appendLeavesMax: 2_000,
  /** Bytes of an append's body, after decompression. */
  appendBytesMax: 512 * 1024,
  /** Bytes of one signed note. */
  noteBytesMax: 64 * 1024,
  /** Signature lines of one signed note. */
  noteSignaturesMax: 16,
  /** Levels of arrays and objects inside an event (`data` itself is the first). */
  jsonDepthMax: 8,
  /** Printable ASCII characters of a nonce or a boot id. */
  tokenCharsMax: 64,
  /** Leaf hashes an ingest keeps for each device, to tell a fork from a retry. */
  windowLeavesMax: 4_000,
  /** Events a device may send in a second, refused ones included. */
  deviceEventsPerSecondMax: 20_000,
  /** Appends a device may send in a second, refused ones included. */
  deviceAppendsPerSecondMax: 200,
  /** Milliseconds that a device's clock may differ before it is flagged; it is never refused for it. */
  clockSkewFlagMs: 24 * 60 * 60 * 1000,
} as const;

/** The limits' names and values, as a device is told them at enrolment. */
export type Limits = { readonly [Name in keyof typeof LIMITS]: number };
