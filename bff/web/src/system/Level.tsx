import { Tag } from '../ui/Tag';

/** Level of an alarm or a log entry. */
export function Level({ level }: { level: string }) {
  return level === 'P0' ? <Tag tone="bad">P0</Tag> : <Tag>{level}</Tag>;
}
