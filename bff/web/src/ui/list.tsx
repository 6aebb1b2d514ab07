import type { Pages } from '../api/hooks';
import { formatQty } from '../money/format';
import { texts, useText } from '../text/text';
import { Button } from './Button';
import css from './list.module.css';

const TEXT = texts(
  { loaded: (count: string) => `${count} loaded`, older: 'Load older ones', clear: 'Show all' },
  { loaded: (count: string) => `${count}건 표시`, older: '이전 내역 불러오기', clear: '전체 보기' },
);

interface ListFootProps {
  /** How many rows are loaded. */
  loaded: number;
  hasMore: boolean;
  isLoadingMore: boolean;
  onMore: () => void;
}

/** Below a list: how much of it is loaded, and the way to its older rows. */
export function ListFoot({ loaded, hasMore, isLoadingMore, onMore }: ListFootProps) {
  const text = useText(TEXT);
  return (
    <div className={css.foot}>
      <span>{text.loaded(formatQty(loaded))}</span>
      {hasMore && (
        <Button size="small" isBusy={isLoadingMore} onClick={onMore}>
          {text.older}
        </Button>
      )}
    </div>
  );
}

/** The same below a list that is read page by page, while there is more of it. */
export function PagesFoot<T>({ list }: { list: Pages<T> }) {
  if (!list.hasMore) return null;
  return <ListFoot loaded={list.data?.length ?? 0} hasMore isLoadingMore={list.isLoadingMore} onMore={list.more} />;
}

/** In place of a list without rows: why, and the way out of a filter. */
export function EmptyList({ text: why, onClear }: { text: string; onClear?: (() => void) | undefined }) {
  const text = useText(TEXT);
  return (
    <div className={css.none}>
      <p>{why}</p>
      {onClear !== undefined && <Button onClick={onClear}>{text.clear}</Button>}
    </div>
  );
}
