-- What became of the files of an upload or a download.
ALTER TABLE run_hosts ADD COLUMN files TEXT;   -- a JSON array; NULL: of no file
