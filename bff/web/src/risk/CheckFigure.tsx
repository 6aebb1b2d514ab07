import { Count, Won } from '../ui/figures';

/** A figure of a check of the gate: names are counted, everything else is an amount in won. */
export function CheckFigure({ check, value }: { check: string; value: number | null | undefined }) {
  return check === 'TOTAL_POSITIONS' ? <Count value={value} /> : <Won value={value} />;
}
