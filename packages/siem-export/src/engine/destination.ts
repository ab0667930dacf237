import { AppendFile } from '../files/append-file.ts';
import { EXPORT_LIMITS } from '../limits.ts';
import { deadLettersStem, type Route } from '../route.ts';
import type { OpenSink } from '../sinks/sink.ts';
import type { ExporterSurroundings } from './exporter-surroundings.ts';

/** The marks that commits have stored under `key`, one for each partition that has any. */
export type LoadMarks = (key: string) => Promise<readonly string[]>;

/** Something that writes where its last committed mark says: a sink that gives marks, or the dead letters. */
export type Marked = {
  /** The state in which its marks stand. */
  readonly key: string;
  mark(): string | null;
  committed(mark: string): Promise<void>;
};

export type OpenDestination = Marked & { readonly sink: OpenSink };
export type OpenLetters = Marked & { readonly file: AppendFile };

/**
 * Where a route's events go, and the file for those that the destination does not take. Each is opened when there is
 * something for it: a provider has many customers of whom most are quiet.
 */
export class Destination {
  readonly #route: Route;
  readonly #surroundings: ExporterSurroundings;
  readonly #loadMarks: LoadMarks;
  #sink: Promise<OpenDestination> | null = null;
  #letters: Promise<OpenLetters> | null = null;

  constructor(route: Route, surroundings: ExporterSurroundings, loadMarks: LoadMarks) {
    this.#route = route;
    this.#surroundings = surroundings;
    this.#loadMarks = loadMarks;
  }

  /** @throws where the destination cannot be prepared; the next call tries again */
  async sink(): Promise<OpenDestination> {
    this.#sink ??= this.#openSink();
    try {
      return await this.#sink;
    } catch (error) {
      this.#sink = null;
      throw error;
    }
  }

  /** @throws where the file cannot be opened; the next call tries again */
  async letters(): Promise<OpenLetters> {
    this.#letters ??= this.#openLetters();
    try {
      return await this.#letters;
    } catch (error) {
      this.#letters = null;
      throw error;
    }
  }

  /**
   * Closes both. What was written and not committed counts no more: the next opening goes on from the marks, and cuts
   * what lies behind them.
   */
  async close(): Promise<void> {
    const opened = this.#sink;
    this.#sink = null;
    await this.closeLetters();
    await (await settled(opened))?.sink.close();
  }

  async closeLetters(): Promise<void> {
    const opened = this.#letters;
    this.#letters = null;
    await (await settled(opened))?.file.close();
  }

  async #openSink(): Promise<OpenDestination> {
    const { exportDir, instance, files, clock, logger, readSecret, sinks } = this.#surroundings;
    const { name, format, sink: config } = this.#route;
    // Where exporters share a group, each one's files have marks of their own, wherever its partitions go.
    const key = `sink-mark|${name}|${instance}`;
    const found = sinks.find(({ type }) => type === config.type);
    if (found === undefined) throw new Error(`there is no sink ${config.type}`);
    const marks = await this.#loadMarks(key);
    const sink = await found.open(config, { format, exportDir, files, clock, logger, readSecret, marks });
    return { sink, key, mark: () => sink.mark(), committed: (mark) => sink.committed(mark) };
  }

  async #openLetters(): Promise<OpenLetters> {
    const { exportDir, instance, files, clock, logger } = this.#surroundings;
    const key = `letters-mark|${this.#route.name}|${instance}`;
    const options = {
      files,
      folder: exportDir,
      stem: deadLettersStem(this.#route),
      bytesMax: EXPORT_LIMITS.fileBytesMax,
      ageMsMax: EXPORT_LIMITS.fileAgeSecondsMax * 1000,
      keepBytesMax: EXPORT_LIMITS.fileKeepBytesMax,
      clock,
      logger,
    };
    const file = await AppendFile.open(options, await this.#loadMarks(key));
    return { file, key, mark: () => file.mark, committed: (mark) => file.committed(mark) };
  }
}

/** What was opened; `null` where nothing was, of which whoever asked for it has heard. */
async function settled<T>(opened: Promise<T> | null): Promise<T | null> {
  try {
    return await opened;
  } catch {
    return null;
  }
}
