/** The middle value of `numbers`. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Prints a table with a title; numbers are rounded and right-aligned. */
export function table(title, head, rows) {
  const cells = [head, ...rows].map((row) =>
    row.map((cell) => (typeof cell === 'number' ? format(cell) : String(cell))),
  );
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  console.log(`\n${title}\n`);
  cells.forEach((row, i) => {
    console.log(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
        .join('  '),
    );
    if (i === 0) console.log(widths.map((width) => '-'.repeat(width)).join('  '));
  });
}

function format(value) {
  return Math.round(value).toLocaleString('en-US');
}
