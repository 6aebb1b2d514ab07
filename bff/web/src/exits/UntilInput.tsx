import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Input } from '../ui/form';
import css from './exits.module.css';

const TEXT = texts(
  { label: 'Until (Seoul time)', open: 'Empty: until it is taken away', hour: '1 hour', day: '1 day', week: '7 days', none: 'No end' },
  { label: '종료 시각 (서울)', open: '비우면 해제할 때까지 유지', hour: '1시간', day: '1일', week: '7일', none: '기한 없음' },
);

const HOUR_MS = 3_600_000;

/** Returns a time of a field of the browser as the API takes it; null where there is none. */
export function untilOf(local: string): string | null {
  return local === '' ? null : `${local.slice(0, 16)}:00+09:00`;
}

/** Returns a time of the API as the field of the browser has it, in Seoul. */
export function localOf(at: string | null | undefined): string {
  return at == null ? '' : new Date(Date.parse(at) + 9 * HOUR_MS).toISOString().slice(0, 16);
}

/** Until when something counts, in Seoul time, with the usual spans a click away. */
export function UntilInput({ value, fault, onChange }: { value: string; fault: string | null | undefined; onChange: (local: string) => void }) {
  const text = useText(TEXT);
  const spans = [
    [text.hour, HOUR_MS],
    [text.day, 24 * HOUR_MS],
    [text.week, 7 * 24 * HOUR_MS],
  ] as const;
  return (
    <div className={css.form}>
      <Input type="datetime-local" label={text.label} hint={text.open} fault={fault} value={value} onChange={(event) => onChange(event.target.value)} />
      <div className={css.buttons}>
        {spans.map(([name, span]) => (
          <Button key={name} size="small" onClick={() => onChange(localOf(new Date(Date.now() + span).toISOString()))}>
            {name}
          </Button>
        ))}
        <Button size="small" onClick={() => onChange('')}>
          {text.none}
        </Button>
      </div>
    </div>
  );
}
