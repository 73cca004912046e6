-- A long queue is looked at page by page (reasons_page.sql), so its reasons need an order. Programs of before look by the
-- flow alone, which the new index serves too.
CREATE INDEX queue_entry_walk ON router.queue_entry (flow_id, part, ticket_id);
DROP INDEX router.queue_entry_flow;
