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
  /** Milliseconds for which a device must have held events back before its return is told of. */
  returnedAfterMs: 5 * 60 * 1000,
  /** Bytes of events that one partition keeps in memory for routes at its end. */
  feedWindowBytesMax: 2 * 1024 * 1024,
  /** Bytes of records that are kept for routes which are behind. */
  blockCacheBytesMax: 16 * 1024 * 1024,
  /** Events, and bytes of records, that one route takes from one partition at a time. */
  chunkEventsMax: 2_000,
  chunkBytesMax: 1 * 1024 * 1024,
  /** Bytes that a route may always take from a partition, however many are under way. */
  chunkBytesMin: 16 * 1024,
  /** Bytes of records that all routes together have under way, and `chunkBytesMin` for each track beyond that. */
  underWayBytesMax: 32 * 1024 * 1024,
  /** Milliseconds that reading waits for a route which is about to fall out of memory. */
  patienceMsMax: 1_000,
  /** Milliseconds between two looks at the positions of routes that nothing came for. */
  idlePositionsMs: 60_000,
  /** Bytes of a destination's answer. */
  httpAnswerBytesMax: 16 * 1024 * 1024,
  /** Bytes of the file of routes. */
  routesFileBytesMax: 1024 * 1024,
  /** Routes that the file may hold, a template counted once. */
  routesWrittenMax: 1_000,
  /** Routes after the expansion of templates. */
  routesMax: 10_000,
  /** Uses of YAML's aliases, those inside of what they stand for counted again. */
  routesAliasesMax: 1_000,
  /** Values in the file once each alias is written out, so that a small file cannot become a large one. */
  routesValuesMax: 500_000,
  /** Lists and members inside each other. */
  routesDepthMax: 32,
  /** Problems of the file that are told at once. */
  routesProblemsMax: 100,
} as const;
