-- Results of a task come from all hosts in turn: by this index each batch of them touched as many pages as there are hosts.
DROP INDEX play_events_host;
