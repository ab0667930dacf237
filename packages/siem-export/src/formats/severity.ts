export type Severity = 'informational' | 'low' | 'medium' | 'high' | 'critical';

/** On the scale of 0 to 10 that CEF has: there is room between the steps. */
export const SEVERITY_NUMBERS: { readonly [Name in Severity]: number } = {
  informational: 1,
  low: 3,
  medium: 5,
  high: 8,
  critical: 10,
};
