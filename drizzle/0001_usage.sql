-- The database itself counts what each member and each host has given out, so that no code path can forget to:
-- the checks on "usage" and "hosts" then make it impossible to pass a cap.
CREATE FUNCTION dcm_person_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO usage (owner_id) VALUES (NEW.id);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER people_usage AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION dcm_person_usage();
--> statement-breakpoint
CREATE FUNCTION dcm_container_usage() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  was boolean := TG_OP <> 'INSERT' AND OLD.desired IN ('running', 'paused');
  is_now boolean := TG_OP <> 'DELETE' AND NEW.desired IN ('running', 'paused');
BEGIN
  IF TG_OP = 'UPDATE' AND was = is_now AND OLD.owner_id = NEW.owner_id AND OLD.host_id = NEW.host_id
     AND OLD.memory = NEW.memory AND OLD.cpus = NEW.cpus AND OLD.pids = NEW.pids THEN
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    UPDATE usage SET
      containers = containers - 1,
      running = running - was::int,
      memory = memory - CASE WHEN was THEN OLD.memory ELSE 0 END,
      cpus = cpus - CASE WHEN was THEN OLD.cpus ELSE 0 END,
      pids = pids - CASE WHEN was THEN OLD.pids ELSE 0 END
    WHERE owner_id = OLD.owner_id;
    IF was THEN
      UPDATE hosts SET memory_used = memory_used - OLD.memory, cpus_used = cpus_used - OLD.cpus WHERE id = OLD.host_id;
    END IF;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    UPDATE usage SET
      containers = containers + 1,
      running = running + is_now::int,
      memory = memory + CASE WHEN is_now THEN NEW.memory ELSE 0 END,
      cpus = cpus + CASE WHEN is_now THEN NEW.cpus ELSE 0 END,
      pids = pids + CASE WHEN is_now THEN NEW.pids ELSE 0 END
    WHERE owner_id = NEW.owner_id;
    IF is_now THEN
      UPDATE hosts SET memory_used = memory_used + NEW.memory, cpus_used = cpus_used + NEW.cpus WHERE id = NEW.host_id;
    END IF;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER containers_usage AFTER INSERT OR UPDATE OR DELETE ON containers
  FOR EACH ROW EXECUTE FUNCTION dcm_container_usage();
--> statement-breakpoint
CREATE FUNCTION dcm_image_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    UPDATE usage SET images = images + 1 WHERE owner_id = NEW.owner_id;
  ELSE
    UPDATE usage SET images = images - 1 WHERE owner_id = OLD.owner_id;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER images_usage AFTER INSERT OR DELETE ON images FOR EACH ROW EXECUTE FUNCTION dcm_image_usage();
--> statement-breakpoint
CREATE FUNCTION dcm_port_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' AND OLD.purpose = 'public' THEN
    UPDATE usage SET ports = ports - 1 WHERE owner_id = OLD.owner_id;
  END IF;
  IF TG_OP <> 'DELETE' AND NEW.purpose = 'public' THEN
    UPDATE usage SET ports = ports + 1 WHERE owner_id = NEW.owner_id;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER ports_usage AFTER INSERT OR UPDATE OR DELETE ON ports FOR EACH ROW EXECUTE FUNCTION dcm_port_usage();
