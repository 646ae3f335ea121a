-- Reports ask for a guild's charges in the order of time: page by page, or added up.
CREATE INDEX charge_by_guild ON charge (guild_id, created_at);
