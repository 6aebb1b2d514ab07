-- An order that is sent for less than was decided is whole with less: its mark SENDING alone says so.
DROP TRIGGER follow_changes ON trade.order_events;
CREATE TRIGGER follow_changes AFTER INSERT ON trade.order_events FOR EACH ROW
    WHEN (NOT ((NEW.status = 'SENDING' AND NEW.sent_qty IS NULL)
        OR (NEW.status = 'NEW' AND NEW.send_attempt = 0 AND NEW.code IS NULL)))
    EXECUTE FUNCTION system.log_change();
