"""``python -m pgadvisor``."""

from pgadvisor.cli import main

if __name__ == "__main__":
    main()
