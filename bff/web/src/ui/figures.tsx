/** Figures as they read on every page. */

import Link from 'next/link';

import { formatTime } from '../live/instant';
import { scaled, unitsOf, type Units } from '../money/decimal';
import {
  basisPointsOfPercent,
  formatBasisPoints,
  formatPrice,
  formatQty,
  formatSignedPrice,
  formatSignedWon,
  formatWon,
  isLarge,
  UNKNOWN,
} from '../money/format';
import { usePreferences } from '../shell/preferences';
import css from './figures.module.css';

type Known = number | null | undefined;

function tone(sign: bigint | null): string {
  if (sign === null || sign === 0n) return css.flat ?? '';
  return (sign > 0n ? css.up : css.down) ?? '';
}

interface SignedProps {
  /** Decides colour and arrow. */
  sign: bigint | null;
  text: string;
  /** Large changes are bold. */
  basisPoints?: bigint | null;
  hasArrow?: boolean;
  title?: string;
}

/** A gain or loss: colour, sign and arrow say the same, so that none is needed alone. */
export function Signed({ sign, text, basisPoints = null, hasArrow = false, title }: SignedProps) {
  const arrow = sign === null || sign === 0n ? '' : sign > 0n ? '▲' : '▼';
  return (
    <span className={`${tone(sign)} ${isLarge(basisPoints) ? css.large : ''}`} title={title}>
      {hasArrow && arrow !== '' && (
        <span className={css.arrow} aria-hidden="true">
          {arrow}
        </span>
      )}
      {text}
    </span>
  );
}

/** A price or an amount with every digit. */
export function Price({ value }: { value: Known }) {
  return <>{formatPrice(unitsOf(value))}</>;
}

/** An amount in whole won. */
export function Won({ value }: { value: Known | Units }) {
  return <>{formatWon(typeof value === 'bigint' ? value : unitsOf(value))}</>;
}

/** A gain or loss in whole won. */
export function SignedWon({ value, basisPoints = null }: { value: Known | Units; basisPoints?: bigint | null }) {
  const units = typeof value === 'bigint' ? value : unitsOf(value);
  return <Signed sign={units} text={formatSignedWon(units)} basisPoints={basisPoints} title={`${formatSignedPrice(units)} KRW`} />;
}

/** A large amount in won at a glance: 1,234억 or 123.4B. Not for what is traded by. */
export function ShortWon({ value }: { value: Known }) {
  const { language } = usePreferences();
  if (value == null || !Number.isFinite(value)) return <>{UNKNOWN}</>;
  const format = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 });
  return <span title={`${value.toLocaleString('en-US')} KRW`}>{format.format(value)}</span>;
}

/** A percentage of the API, signed: +1.16 %. */
export function Percent({ value, hasArrow = false }: { value: Known; hasArrow?: boolean }) {
  const points = basisPointsOfPercent(value);
  return <Signed sign={points} text={formatBasisPoints(points)} basisPoints={points} hasArrow={hasArrow} />;
}

/** A ratio of the API as a percentage without colour: 0.0512 reads 5.12 %. */
export function Ratio({ value, isSigned = false }: { value: Known; isSigned?: boolean }) {
  const points = scaled(value, 4);
  if (points === null) return <>{UNKNOWN}</>;
  if (isSigned) return <Signed sign={points} text={formatBasisPoints(points)} basisPoints={points} />;
  return <>{formatBasisPoints(points).replace(/^\+/, '')}</>;
}

/** A count. */
export function Count({ value }: { value: Known }) {
  return <>{formatQty(value)}</>;
}

/** A Seoul time, with the full text of the server on demand. */
export function Time({ at }: { at: string | null | undefined }) {
  if (at == null) return <>{UNKNOWN}</>;
  return (
    <time dateTime={at} title={at} className={css.time}>
      {formatTime(at, Date.now())}
    </time>
  );
}

/** A Korean name as given, with the code under which it trades; leads to its page. */
export function Stock({ name, symbol, href }: { name?: string | null; symbol: string; href?: string }) {
  return (
    <Link className={css.stock} href={href ?? `/stocks/?symbol=${symbol}`}>
      <span lang="ko">{name ?? symbol}</span>
      {name != null && <span className={css.code}>{symbol}</span>}
    </Link>
  );
}
