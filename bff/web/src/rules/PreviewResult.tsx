import { useMay } from '../access/context';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Count, Price, Stock, Time } from '../ui/figures';
import { FaultNote } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import css from './effect.module.css';
import type { Preview } from './usePreview';

const TEXT = texts(
  {
    needs: 'Previews need a token of role trader.',
    asking: 'Asking the engine…',
    none: 'No position would sell now.',
    some: (count: number) => `${count} position${count === 1 ? '' : 's'} would sell at once`,
    more: (count: number) => `and ${count} more`,
    asOf: 'by the prices of',
    again: 'Ask again',
    shares: 'sh',
    at: 'at',
    level: 'level',
  },
  {
    needs: '미리보기는 trader 권한 토큰이 필요합니다.',
    asking: '엔진에 묻는 중…',
    none: '지금 매도될 포지션이 없습니다.',
    some: (count: number) => `포지션 ${count}개가 즉시 매도됩니다`,
    more: (count: number) => `외 ${count}개`,
    asOf: '기준 시각',
    again: '다시 확인',
    shares: '주',
    at: '현재가',
    level: '기준가',
  },
);

/** Positions that are shown; the others are counted. */
const SHOWN_MAX = 12;

interface PreviewResultProps {
  preview: Preview;
  names: ReadonlyMap<string, string>;
}

/** The engine's answer: which positions would sell at once if the rule were saved. */
export function PreviewResult({ preview, names }: PreviewResultProps) {
  const text = useText(TEXT);
  const isAllowed = useMay('TRADER');
  const { answer, fault, isPending, ask } = preview;
  if (!isAllowed) return <p className={css.note}>{text.needs}</p>;
  if (fault !== null) return <FaultNote fault={fault} onRetry={ask} />;
  if (answer === undefined) return <p className={css.note}>{text.asking}</p>;
  return (
    <div className={css.preview} aria-live="polite" aria-busy={isPending} data-pending={isPending || undefined} data-testid="preview">
      <p className={answer.count === 0 ? css.calm : css.alarm} data-testid="preview-count" data-count={answer.count}>
        {answer.count === 0 ? text.none : text.some(answer.count)}
      </p>
      {answer.positions.length > 0 && (
        <ul className={css.sales}>
          {answer.positions.slice(0, SHOWN_MAX).map((sale) => (
            <li key={sale.position_id}>
              <Stock symbol={sale.symbol} name={names.get(sale.symbol) ?? null} href={`/position/?id=${sale.position_id}`} />
              <span className={css.qty}>
                <Tag tone="warn">{sale.rule_id ?? sale.reason}</Tag> <Count value={sale.qty} /> {text.shares}
              </span>
              <span className={css.prices}>
                {text.at} <Price value={sale.price} /> · {text.level} <Price value={sale.level} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {answer.count > SHOWN_MAX && <p className={css.note}>{text.more(answer.count - SHOWN_MAX)}</p>}
      <p className={css.asOf}>
        <span>
          {text.asOf} <Time at={answer.answered_ts} />
        </span>
        <Button kind="quiet" size="small" onClick={ask} isBusy={isPending}>
          {text.again}
        </Button>
      </p>
    </div>
  );
}
