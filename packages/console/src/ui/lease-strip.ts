import { leaseView, type LeaseFacts } from '../core/lease-view.ts';
import { byId, setText } from './dom.ts';

/** The strip above the list: what the lease allows, and how long. */
export function leaseStrip(): (facts: LeaseFacts) => void {
  const [strip, bar] = [byId('lease'), byId('lease-bar')];
  return (facts) => {
    const { tone, title, left, share, sentence } = leaseView(facts);
    strip.dataset['tone'] = tone;
    strip.dataset['reason'] = facts.vault.access?.allowed === false ? facts.vault.access.reason : '';
    setText(byId('lease-title'), title);
    setText(byId('lease-left'), left);
    setText(byId('lease-sentence'), sentence);
    byId('lease-track').hidden = left === '';
    bar.style.setProperty('inline-size', `${(share * 100).toFixed(2)}%`);
  };
}
