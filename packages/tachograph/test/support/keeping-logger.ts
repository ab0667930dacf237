import type { Logger } from '@tachograph/siem-export';

export type LoggedLine = { readonly level: keyof Logger; readonly name: string; readonly fields: object };

/** A logger that keeps its lines. */
export function keepingLogger(): Logger & { readonly lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const at = (level: keyof Logger) => (fields: object, name: string) =>
    void lines.push({ level, name, fields });
  return { lines, info: at('info'), warn: at('warn'), error: at('error') };
}
