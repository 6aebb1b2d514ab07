'use client';

import { useTopic } from '../live/provider';
import { texts, useText } from '../text/text';
import { Tag } from '../ui/Tag';

const TEXT = texts({ held: 'Held' }, { held: '보유' });

/** Says that a symbol is held. */
export function HeldTag({ symbol }: { symbol: string }) {
  const text = useText(TEXT);
  const isHeld = useTopic('positions').rows.some((row) => row.symbol === symbol);
  return isHeld ? <Tag tone="working">{text.held}</Tag> : null;
}
