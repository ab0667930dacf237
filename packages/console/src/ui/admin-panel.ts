import { adminView, type AdminFacts } from '../core/admin-view.ts';
import { byId, setText } from './dom.ts';
import { icon } from './icons.ts';

export type AdminActions = {
  readonly revoke: () => Promise<void>;
  readonly startOver: () => Promise<void>;
};

/** The administrator's corner: revokes this device, and lets it begin anew when that is over. */
export function adminPanel({ revoke, startOver }: AdminActions): (facts: AdminFacts) => void {
  const buttons = { revoke: byId('revoke'), 'start-over': byId('start-over') };
  buttons.revoke.prepend(icon('shield'));
  let busy = false;
  const run = async (button: HTMLElement, action: () => Promise<void>): Promise<void> => {
    if (busy) return;
    busy = true;
    button.setAttribute('aria-busy', 'true');
    try {
      await action();
    } finally {
      button.removeAttribute('aria-busy');
      busy = false;
    }
  };
  buttons.revoke.addEventListener('click', () => void run(buttons.revoke, revoke));
  buttons['start-over'].addEventListener('click', () => void run(buttons['start-over'], startOver));
  return (facts) => {
    const { sentence, action } = adminView(facts);
    setText(byId('admin-sentence'), sentence);
    buttons.revoke.hidden = action !== 'revoke';
    buttons['start-over'].hidden = action !== 'start-over';
  };
}
