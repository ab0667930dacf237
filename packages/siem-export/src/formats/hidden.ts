/**
 * Characters that show nothing, or that change how what follows is shown: control characters (line ends, NUL, the
 * escape of terminals), format characters (writing direction, joiners, tags), separators of lines and paragraphs,
 * and halves of surrogate pairs. A line that is printed as it is must hold none of them.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Nearly all texts are plain ASCII, for which looking is far cheaper than replacing. */
const PLAIN = /^[ -~]*$/;

/** JSON on one line in which every hidden character is escaped: the value is the same, only its spelling is safe. */
export function jsonLine(value: unknown): string {
  const json = JSON.stringify(value);
  if (PLAIN.test(json)) return json;
  return json.replace(HIDDEN, (hidden) => {
    let escaped = '';
    for (let i = 0; i < hidden.length; i++) {
      escaped += `\\u${hidden.charCodeAt(i).toString(16).padStart(4, '0')}`;
    }
    return escaped;
  });
}

/** Spaces beside the ASCII one: some readers split or trim at them. */
const OTHER_SPACE = /(?! )\p{Zs}/gu;

/**
 * Text in which hidden characters are shown as `<U+202E>`, and nothing else is changed: for formats that cannot
 * escape them. A text that holds `<U+` itself is written with `<U+003C>U+`, so that the two cannot be confused
 * and `revealed` gives the exact text back.
 */
export function shown(text: string): string {
  const marked = text.includes('<U+') ? text.replaceAll('<U+', '<U+003C>U+') : text;
  return PLAIN.test(marked) ? marked : marked.replace(HIDDEN, codePoint).replace(OTHER_SPACE, codePoint);
}

/** `<U+XXXX>`, at least four digits. */
function codePoint(character: string): string {
  return `<U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}>`;
}

/** What `shown` was given. */
export function revealed(text: string): string {
  return text.replace(/<U\+([0-9A-F]{4,6})>/g, (_all, hex: string) =>
    String.fromCodePoint(parseInt(hex, 16)),
  );
}
