import { byId } from './dom.ts';

export type GuideFacts = {
  readonly switchedOff: boolean;
  readonly pending: number;
  /** Whether this page was loaded while entries were waiting already. */
  readonly reloaded: boolean;
  /** Whether this page has seen such entries arrive. */
  readonly arrived: boolean;
  /** Whether this device was revoked, here or elsewhere. */
  readonly revoked: boolean;
};

const STEPS = ['offline', 'use', 'reload', 'online', 'revoke', 'purge'] as const;

/** Which of the six steps comes next. */
export function guideStep(facts: GuideFacts): (typeof STEPS)[number] {
  const { switchedOff, pending, reloaded, arrived, revoked } = facts;
  if (revoked) return 'purge';
  if (arrived) return 'revoke';
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
