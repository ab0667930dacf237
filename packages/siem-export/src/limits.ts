/** Every limit of the exporter, in one table. */
export const EXPORT_LIMITS = {
  /** Milliseconds of the first wait after a failure; each later one may be twice as long. */
  retryDelayMsMin: 200,
  /** Milliseconds of the longest wait that backoff reaches by itself. */
  retryDelayMsMax: 30_000,
  /** Milliseconds of wait that a destination may ask for. */
  retryAfterMsMax: 60 * 60 * 1000,
  /** Bytes of the file sink's and the dead letters' file before it is rotated. */
  fileBytesMax: 256 * 1024 * 1024,
  /** Seconds after which the next event begins a new file, whatever the old one's size. */
  fileAgeSecondsMax: 24 * 60 * 60,
  /** Bytes of rotated files that one feed keeps; the oldest go first. */
  fileKeepBytesMax: 64 * 1024 * 1024 * 1024,
  /** Bytes that `readExportTail` reads from the end of the feed. */
  tailBytesMax: 1024 * 1024,
  /** Bytes of a destination's answer. */
  httpAnswerBytesMax: 16 * 1024 * 1024,
} as const;
