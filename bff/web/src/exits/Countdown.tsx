import { useEffect, useState } from 'react';

/** Returns what is left as `2:05`, or `1:02:05` from an hour on. */
function formatLeft(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** How long it is until a point in time, second by second. */
export function Countdown({ until }: { until: string }) {
  const [nowMs, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={until} title={until} data-testid="countdown">
      {formatLeft(Date.parse(until) - nowMs)}
    </time>
  );
}
