// Figures as text. What is not there is a dash, never a zero.

export const NONE = "–";

const formats = [0, 1, 2].map(
  (digits) => new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }),
);

export const missing = (value) => value === null || value === undefined;

export function number(value, digits) {
  return missing(value) ? NONE : formats[digits].format(value);
}

// Three or four digits, whatever the size.
export const milliseconds = (value) => number(value, value < 100 ? 2 : value < 1000 ? 1 : 0);
export const rate = (value) => number(value, value < 10 ? 2 : value < 100 ? 1 : 0);

export function percent(share) {
  return missing(share) ? NONE : `${number(share * 100, 1)} %`;
}

/** Two units at most: `3 h 12 min`. */
export function age(seconds) {
  if (missing(seconds)) return NONE;
  const whole = Math.max(0, Math.round(seconds));
  const [days, hours, minutes] = [
    Math.floor(whole / 86400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  if (minutes) return whole % 60 ? `${minutes} min ${whole % 60} s` : `${minutes} min`;
  return `${whole} s`;
}

/** The time of day of milliseconds since 1970. */
export function clock(epoch) {
  return new Date(epoch).toLocaleTimeString("en-GB");
}
