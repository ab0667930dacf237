/**
 * Whether one of many who share `max` bytes may take `bytes` more: never more than there is, and no more than would
 * be left free for the others afterwards. One alone can fill half; each further one still finds room, and whoever
 * holds nothing yet may take the last of it. (Dynamic thresholds with α = 1: Choudhury and Hahne, "Dynamic queue
 * length thresholds for shared-memory packet switches", 1998.)
 *
 * @param held what all hold together, `own` included
 */
export function shareOf(
  bytes: number,
  own: number,
  held: number,
  max: number,
): 'granted' | 'full' | 'unfair' {
  const free = max - held - bytes;
  if (free < 0) return 'full';
  return own === 0 || own + bytes <= free ? 'granted' : 'unfair';
}
