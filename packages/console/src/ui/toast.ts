import { byId } from './dom.ts';

const SHOWN_MS = 2_600;

/** One short sentence at a time, also spoken by screen readers. */
export function toaster(): (sentence: string) => void {
  const element = byId('toast');
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (sentence) => {
    element.textContent = sentence;
    element.classList.add('is-shown');
    clearTimeout(timer);
    timer = setTimeout(() => element.classList.remove('is-shown'), SHOWN_MS);
  };
}
