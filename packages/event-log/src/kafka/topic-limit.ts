import { errorType } from './kafkajs-errors.ts';
import { problemsOf, type TopicFacts } from './topic-settings.ts';
import { TopicUnfitError } from './topic-unfit-error.ts';

const SETTING = 'max.message.bytes';

/** How much one append to a topic may hold. An operator may lower it while the topic is written to. */
export class TopicLimit {
  readonly #topic: string;
  readonly #readFacts: () => Promise<TopicFacts | null>;
  #bytes: number;

  constructor(topic: string, bytes: number, readFacts: () => Promise<TopicFacts | null>) {
    this.#topic = topic;
    this.#bytes = bytes;
    this.#readFacts = readFacts;
  }

  /** As the topic's setting was when it was last looked at. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether an append failed because the broker's limit is lower than what is known of it here. */
  isPassedBy(cause: unknown): boolean {
    return errorType(cause) === 'MESSAGE_TOO_LARGE';
  }

  /**
   * Looks at the setting again, and answers why the append failed. Below what a full append of a device needs, the
   * limit stays as it was: what is too large then fails again, with this reason, until the topic is mended.
   */
  async lookAgain(cause: unknown): Promise<unknown> {
    const facts = await this.#readFacts();
    if (facts === null) return cause;
    const unfit = problemsOf(facts).filter(({ config }) => config === SETTING);
    if (unfit.length > 0) return new TopicUnfitError(this.#topic, unfit, { cause });
    this.#bytes = facts.messageBytesMax;
    return new Error(`${SETTING} of ${this.#topic} is ${this.#bytes} now`, { cause });
  }
}
