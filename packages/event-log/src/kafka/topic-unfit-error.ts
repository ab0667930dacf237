import type { TopicProblem } from './topic-settings.ts';

/** The topic does not exist (`problems` is empty then), or may lose events as it is set. */
export class TopicUnfitError extends Error {
  readonly topic: string;
  readonly problems: readonly TopicProblem[];

  constructor(topic: string, problems: readonly TopicProblem[], options?: ErrorOptions) {
    const said = problems.map(({ config, what }) => `${config} ${what}`).join('; ');
    super(problems.length === 0 ? `there is no topic ${topic}` : `topic ${topic}: ${said}`, options);
    this.name = 'TopicUnfitError';
    this.topic = topic;
    this.problems = problems;
  }
}
