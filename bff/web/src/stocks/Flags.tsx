import { texts, useText } from '../text/text';
import { Tag, type Tone } from '../ui/Tag';
import { flagsOf, type Flag, type Stock } from './stock';
import css from './stocks.module.css';

const TEXT = texts(
  {
    DELISTED: 'Delisted',
    SUSPENDED: 'Suspended',
    HALTED: 'Halted',
    MANAGED: 'Administration',
    CAUTION: 'Caution',
    NOT_TRADABLE: 'Not tradable',
    NXT_STOPPED: 'NXT stopped',
    DELISTED_why: 'It has left the exchange; nothing can be bought or sold.',
    SUSPENDED_why: 'The exchange has suspended trading; orders of it are not filled.',
    HALTED_why: 'Trading is halted for now; orders of it are not filled.',
    MANAGED_why: 'Under administration (관리종목): it may be delisted. The universe leaves it out.',
    CAUTION_why: 'The exchange warns of it (투자주의·경고). The universe leaves it out.',
    NOT_TRADABLE_why: 'It may not be traded.',
    NXT_STOPPED_why: 'Trading on NXT is stopped; the exchange goes on.',
  },
  {
    DELISTED: '상장폐지',
    SUSPENDED: '거래정지',
    HALTED: '매매중단',
    MANAGED: '관리종목',
    CAUTION: '투자주의',
    NOT_TRADABLE: '거래불가',
    NXT_STOPPED: 'NXT 정지',
    DELISTED_why: '상장폐지되어 매매할 수 없습니다.',
    SUSPENDED_why: '거래소가 거래를 정지했습니다. 주문이 체결되지 않습니다.',
    HALTED_why: '매매가 일시 중단되었습니다. 주문이 체결되지 않습니다.',
    MANAGED_why: '관리종목으로 상장폐지 가능성이 있습니다. 유니버스에서 제외됩니다.',
    CAUTION_why: '거래소 시장경보 종목입니다. 유니버스에서 제외됩니다.',
    NOT_TRADABLE_why: '매매할 수 없는 종목입니다.',
    NXT_STOPPED_why: 'NXT 거래가 정지되었습니다. 거래소 매매는 계속됩니다.',
  },
);

const TONES: Record<Flag, Tone> = {
  DELISTED: 'bad',
  SUSPENDED: 'bad',
  HALTED: 'bad',
  MANAGED: 'warn',
  CAUTION: 'warn',
  NOT_TRADABLE: 'muted',
  NXT_STOPPED: 'muted',
};

/** What to know of an issue before it is traded, in a word each. */
export function FlagTags({ stock }: { stock: Stock }) {
  const text = useText(TEXT);
  return (
    <span className={css.flags}>
      {flagsOf(stock).map((flag) => (
        <Tag key={flag} tone={TONES[flag]} title={text[`${flag}_why`]}>
          {text[flag]}
        </Tag>
      ))}
    </span>
  );
}

/** The same in sentences, with the reason where one was told. */
export function FlagNotes({ stock }: { stock: Stock }) {
  const text = useText(TEXT);
  const flags = flagsOf(stock);
  if (flags.length === 0) return null;
  return (
    <ul className={css.notes} data-testid="stock-flags">
      {flags.map((flag) => (
        <li key={flag} data-tone={TONES[flag]}>
          <Tag tone={TONES[flag]}>{text[flag]}</Tag>
          <span>
            {text[`${flag}_why`]}
            {(flag === 'HALTED' || flag === 'SUSPENDED') && stock.trade_halt_reason != null && (
              <b lang="ko"> {stock.trade_halt_reason}</b>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
