import { byId } from './dom.ts';

export type GuideFacts = {
  readonly switchedOff: boolean;
  readonly pending: number;
  /** Whether this page was loaded while entries were waiting already. */
  readonly reloaded: boolean;
};

const STEPS = ['offline', 'use', 'reload', 'online'] as const;

/** Which of the four steps comes next. */
export function guideStep({ switchedOff, pending, reloaded }: GuideFacts): (typeof STEPS)[number] {
  if (!switchedOff) return 'offline';
  if (pending === 0) return 'use';
  return reloaded ? 'online' : 'reload';
}

export function showGuide(facts: GuideFacts): void {
  const next = guideStep(facts);
  for (const step of STEPS) {
    const element = byId(`step-${step}`);
    if (step === next) element.setAttribute('aria-current', 'step');
    else element.removeAttribute('aria-current');
  }
}
