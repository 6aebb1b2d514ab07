import { basisPointsOfPercent, formatBasisPoints } from '../money/format';

/** A percentage of the API without sign or colour: 4.65 reads 4.65 %. */
export function Share({ value }: { value: number | null | undefined }) {
  return <>{formatBasisPoints(basisPointsOfPercent(value)).replace(/^\+/, '')}</>;
}
